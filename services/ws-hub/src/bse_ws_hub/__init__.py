"""Fans quote deltas out over WebSocket and Socket.IO."""
