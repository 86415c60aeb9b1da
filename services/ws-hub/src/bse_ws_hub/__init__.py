"""Fans quote deltas out over WebSocket, Socket.IO and Server-Sent Events."""
