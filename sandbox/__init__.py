"""Simulated AWS under the real Pulumi engine: preview and apply the program with no AWS account."""
