"""Rules about several resources together."""
