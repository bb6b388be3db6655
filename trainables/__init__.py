"""How one configuration is measured: engines, the load client, the simulator, failure labels."""
