"""What came back instead of the message: bounces and their reasons; `report` is the way in."""
