"""What the pipelines of a DAG repository are made of."""
