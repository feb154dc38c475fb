"""The twin: real Airflow on this machine, started from the task definitions that the program rendered."""
