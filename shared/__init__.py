"""What the functions of the app share: ports, adapters, the job engine and the domains."""
