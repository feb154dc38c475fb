"""DAG releases: one immutable tree of files, known by its content's hash, the same bytes in every container.

Nothing heavy is imported here: the release agent starts before every container of Airflow. The operator's commands use
the same modules, so that what is refused, hashed and compared is one and the same everywhere.
"""
