print("flag-server")
