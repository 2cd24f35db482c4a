"""The on-site agent: owns serial modems, keeps a journal, speaks to the cloud over one WebSocket."""
