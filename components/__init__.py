"""The building blocks of the platform: component resources and the pure builders they use."""
