apt-get update && apt-get install -y --no-install-recommends curl="7.*" git && rm -rf /var/lib/apt/lists/*
