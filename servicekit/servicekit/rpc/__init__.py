"""gRPC between the services: one server, one client, the same rules on both sides."""
