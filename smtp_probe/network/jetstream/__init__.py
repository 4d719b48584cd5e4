"""NATS JetStream, the engine of many processes: its connection, its streams, and how they are read. The only home of nats-py."""
