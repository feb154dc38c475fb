"""DAG releases: from a Git tree to what every container holds."""
