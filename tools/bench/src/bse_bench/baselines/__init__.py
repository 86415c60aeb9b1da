"""The servers that the hub is compared with. Each prints its port and obeys `go HZ COUNT PAYLOAD` and `pause`."""
