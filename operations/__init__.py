"""The operator's commands: what is done to a running platform, from a laptop or a pipeline."""
