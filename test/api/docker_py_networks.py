"""Network calls of docker-py against the engine in DOCKER_HOST; prints what it saw as JSON, without what
may differ from engine to engine (ids, times, addresses). It leaves no container or network behind."""

import json
import re

import docker

client = docker.DockerClient.from_env(version="1.41", timeout=60)
seen = []


def note(name, value):
    seen.append([name, value])


def error(name, call):
    """Status and words of a call that must fail, with ids made alike."""
    try:
        call()
        note(name, "no error")
    except docker.errors.APIError as failure:
        text = failure.explanation or ""
        text = re.sub(r"[0-9a-f]{64}|[0-9a-f]{12}", "ID", text)
        text = text.replace(": there is the driver bridge", "")  # our way out, which dockerd does not name
        note(name, [failure.response.status_code, text])


def shape(network):
    network.reload()
    attributes = network.attrs
    config = attributes["IPAM"]["Config"] or []
    return {
        "name": attributes["Name"],
        "driver": attributes["Driver"],
        "scope": attributes["Scope"],
        "internal": attributes["Internal"],
        "attachable": attributes["Attachable"],
        "ingress": attributes["Ingress"],
        "ipv6": attributes["EnableIPv6"],
        "labels": attributes["Labels"],
        "options": attributes["Options"],
        "ipam": [attributes["IPAM"]["Driver"], sorted(sorted(entry) for entry in config)],
        "containers": sorted(one["Name"] for one in attributes["Containers"].values()),
    }


def endpoint(container, network):
    container.reload()
    settings = container.attrs["NetworkSettings"]["Networks"].get(network)
    if settings is None:
        return None
    return {
        "keys": sorted(key for key in settings if key not in ("DNSNames", "GwPriority")),
        # Some versions of dockerd list the abbreviated id among them.
        "aliases": sorted(name for name in settings["Aliases"] or [] if not re.fullmatch("[0-9a-f]{12}", name)),
        "ipam": settings["IPAMConfig"],
        "prefix": settings["IPPrefixLen"],
        "address": bool(settings["IPAddress"]),
        "gateway": bool(settings["Gateway"]),
        "mac": bool(settings["MacAddress"]),
    }


def main():
    note("names", sorted(one.name for one in client.networks.list()))
    pool = docker.types.IPAMPool(subnet="10.210.0.0/24", gateway="10.210.0.254", iprange="10.210.0.128/25")
    first = client.networks.create(
        "first",
        driver="bridge",
        labels={"team": "blue"},
        ipam=docker.types.IPAMConfig(pool_configs=[pool]),
        options={"com.docker.network.driver.mtu": "1400"},
        attachable=True,
    )
    second = client.networks.create("second", internal=True)
    note("first", shape(first))
    note("second", shape(second))
    note("by label", [one.name for one in client.networks.list(filters={"label": "team=blue"})])
    note("by name", sorted(one.name for one in client.networks.list(names=["second", "first"])))
    note("by driver", sorted(one.name for one in client.networks.list(filters={"driver": "null"})))
    note("by type", sorted(one.name for one in client.networks.list(filters={"type": "custom"})))
    note("by id", [one.name for one in client.networks.list(ids=[first.id])])
    note("dangling", sorted(one.name for one in client.networks.list(filters={"dangling": True})))

    box = client.containers.run("busybox", "sleep 1000", name="box", network="first", detach=True)
    note("box on first", endpoint(box, "first"))
    second.connect(box, aliases=["other"])
    note("box on second", endpoint(box, "second"))
    note("first with box", shape(first))
    error("connected twice", lambda: second.connect(box))
    error("network in use", lambda: first.remove())
    second.disconnect(box)
    note("box off second", endpoint(box, "second"))
    error("disconnected twice", lambda: second.disconnect(box))
    first.disconnect(box, force=True)
    first.connect(box, ipv4_address="10.210.0.77")
    note("box with an address", endpoint(box, "first"))
    error("address in use", lambda: client.api.connect_container_to_network(spare().id, first.id, ipv4_address="10.210.0.77"))
    box.stop(timeout=0)
    note("stopped", endpoint(box, "first"))
    note("network of a stopped one", shape(first))
    box.start()
    note("started again", endpoint(box, "first"))

    error("the same name", lambda: client.networks.create("first", check_duplicate=True))
    error("overlap", lambda: client.networks.create(
        "overlap", ipam=docker.types.IPAMConfig(pool_configs=[docker.types.IPAMPool(subnet="10.210.0.0/25")])))
    error("no driver", lambda: client.networks.create("driver", driver="nosuchdriver"))
    error("no such network", lambda: client.networks.get("nosuch"))
    error("remove none", lambda: client.api.remove_network("nosuch"))
    error("remove bridge", lambda: client.api.remove_network("bridge"))
    error("connect to host", lambda: client.api.connect_container_to_network(box.id, "host"))
    error("connect nobody", lambda: client.api.connect_container_to_network("nosuch", first.id))

    web = client.containers.run(
        "busybox", "sleep 1000", name="web", detach=True, ports={"80/tcp": None, "81/udp": ("127.0.0.1", 39571)})
    web.reload()
    ports = web.attrs["NetworkSettings"]["Ports"]
    note("ports", {port: sorted({one["HostIp"] for one in found or []} - {"::"}) for port, found in ports.items()})
    note("fixed", ports["81/udp"])
    error("port in use", lambda: client.containers.run(
        "busybox", "true", name="late", ports={"81/udp": ("127.0.0.1", 39571)}, detach=True))
    for container in client.containers.list(all=True):
        container.remove(force=True)
    note("pruned", sorted(client.networks.prune()["NetworksDeleted"] or []))
    note("names at the end", sorted(one.name for one in client.networks.list()))


def spare():
    """A second running container, made where it is first needed."""
    return client.containers.run("busybox", "sleep 1000", name="spare", detach=True)


try:
    main()
finally:
    for container in client.containers.list(all=True):
        container.remove(force=True)
    client.networks.prune()
print(json.dumps(seen, indent=1))
