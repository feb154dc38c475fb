"""Rules about single resources, by what they are about."""
