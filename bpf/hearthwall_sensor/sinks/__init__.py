"""Where events go beside Home Assistant: logs, brokers and alerts, each with a place in the journal of its own."""
