"""The gRPC face of the simulated cloud: what the Pulumi engine talks to instead of the real providers."""
