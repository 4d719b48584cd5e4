"""Several processes that share the work over NATS JetStream: controller, workers, watchers, exporters (docs/engine.md)."""
