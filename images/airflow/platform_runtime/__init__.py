"""What runs inside every container of the platform around Airflow: start, health, bootstrap of the metastore.

It imports nothing heavy at start: the entry point stands before every process, and health checks run all the time.
"""
