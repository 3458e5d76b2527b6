"""How the simulator is reached: TLS, HTTP/1.1 and HTTP/2, the control side, the page of pushes."""
