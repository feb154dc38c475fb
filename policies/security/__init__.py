"""The security policy pack: what AWS, CIS and others demand of what we use, and what only a whole stack shows."""
