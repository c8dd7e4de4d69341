"""Calls ItemService, health and reflection by Debian's grpcio; prints what it saw as JSON."""
import importlib
import json
import subprocess
import sys
import tempfile

import grpc

port, *protos = sys.argv[1:]
generated = tempfile.mkdtemp()
sys.path.insert(0, generated)


def compiled(source):
    """Generates code for one file, under a name that does not hide the package grpc."""
    name = source.split("/")[-1]
    with open(source) as original, open(f"{generated}/{name}", "w") as copy:
        copy.write(original.read())
    tool = [sys.executable, "-m", "grpc_tools.protoc", f"-I{generated}"]
    subprocess.run([*tool, f"--python_out={generated}", f"--grpc_python_out={generated}", name], check=True)
    module = name.removesuffix(".proto")
    return importlib.import_module(f"{module}_pb2"), importlib.import_module(f"{module}_pb2_grpc")


(items, services), (health, healths), (reflection, reflections) = map(compiled, protos)
channel = grpc.insecure_channel(f"127.0.0.1:{port}")
stub = services.ItemServiceStub(channel)
seen = {}

metadata = [("x-request-id", "from-python")]
created = stub.CreateItem(items.CreateItemRequest(name="bolt", quantity=3), timeout=10, metadata=metadata).item
seen["unary"] = [created.name, created.quantity, created.created_at.seconds > 0]
sent = (items.ImportItemsRequest(item=items.CreateItemRequest(name=f"nut {n}", quantity=n)) for n in range(500))
seen["client stream"] = stub.ImportItems(sent, timeout=20).created
seen["server stream"] = sum(1 for _ in stub.ListItems(items.ListItemsRequest(), timeout=20))
asked = (items.LookUpItemsRequest(id=each) for each in [created.id, "nothing", created.id])
seen["both"] = [answer.HasField("item") for answer in stub.LookUpItems(asked, timeout=10)]

try:
    stub.GetItem(items.GetItemRequest(id="7"), timeout=10)
except grpc.RpcError as error:
    trailers = dict(error.trailing_metadata())
    seen["error"] = [error.code().name, error.details(), b"item_not_found" in trailers["grpc-status-details-bin"]]
try:
    stub.CreateItem(items.CreateItemRequest(name="x" * 5_000_000), timeout=10)
except grpc.RpcError as error:
    seen["oversized"] = error.code().name
try:
    stub.GetItem(items.GetItemRequest(id="7"), timeout=10, compression=grpc.Compression.Gzip)
except grpc.RpcError as error:
    seen["compressed"] = error.code().name
try:
    channel.unary_unary("/items.v1.ItemService/Nothing")(b"", timeout=10)
except grpc.RpcError as error:
    seen["unknown"] = error.code().name

stream = stub.ListItems(items.ListItemsRequest(), timeout=10)
next(stream)
stream.cancel()
seen["cancelled"] = stream.cancelled()

check = healths.HealthStub(channel).Check(health.HealthCheckRequest(service="items.v1.ItemService"), timeout=10)
seen["health"] = check.status
request = reflection.ServerReflectionRequest(list_services="")
answers = reflections.ServerReflectionStub(channel).ServerReflectionInfo(iter([request]), timeout=10)
seen["services"] = [each.name for each in next(answers).list_services_response.service]
print(json.dumps(seen))
