"""What every policy pack is made of: guarded values, checks, rules, exceptions, and the server that the engine asks."""
