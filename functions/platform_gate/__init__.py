"""The platform gate: it makes an environment's secrets and its database ready before any service starts.

Pulumi creates the secrets empty, so that no value ever passes through its state. Every `pulumi up` that brings a
new image, a new bootstrap task definition or a new database then invokes this function, which fills what is
missing, switches the broker's user on and runs the bootstrap task. It may be cut off anywhere, and two may run at
once: called again, it finishes the work, changes no value and starts no second task beside a running one.

Modules import each other relatively: in the function's archive this package has no parent.
"""
