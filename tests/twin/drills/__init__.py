"""Drills: real Airflow in a twin, with something broken on purpose, or with much to do.

They take minutes, so they are no part of the tests. Each module has `main(results)`: it starts a twin of its own, shows
a table, writes the same as JSON into the folder `results`, and returns whether everything was as it should be.
"""
