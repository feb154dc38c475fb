"""Invocations of Lambda functions that really run, against AWS APIs served on this machine."""
