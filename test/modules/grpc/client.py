"""Calls ItemService, Echo, health and reflection by Debian's grpcio; prints what it saw as JSON."""
import importlib
import json
import subprocess
import sys
import tempfile

import grpc
from google.protobuf import field_mask_pb2, wrappers_pb2

port, *protos = sys.argv[1:]
generated = tempfile.mkdtemp()
sys.path.insert(0, generated)


def compiled(source):
    """Generates code for one file, under a name that does not hide the package grpc."""
    name = source.split("/")[-1]
    with open(source) as original, open(f"{generated}/{name}", "w") as copy:
        # Debian's compiler is older than this label of proto3, which changes nothing on the wire.
        copy.write(original.read().replace("  optional ", "  "))
    tool = [sys.executable, "-m", "grpc_tools.protoc", f"-I{generated}"]
    subprocess.run([*tool, f"--python_out={generated}", f"--grpc_python_out={generated}", name], check=True)
    module = name.removesuffix(".proto")
    return importlib.import_module(f"{module}_pb2"), importlib.import_module(f"{module}_pb2_grpc")


(items, services), (_, echoes), (health, healths), (reflection, reflections) = map(compiled, protos)
channel = grpc.insecure_channel(f"127.0.0.1:{port}")
stub = services.ItemServiceStub(channel)
seen = {}

metadata = [("x-request-id", "from-python")]
request = items.CreateItemRequest(item=items.Item(name="bolt", quantity=3))
created = stub.CreateItem(request, timeout=10, metadata=metadata)
seen["created"] = [created.name, created.quantity, created.version, created.created_at.seconds > 0]
change = items.Item(id=created.id, version=created.version, quantity=4, name="not in the mask")
request = items.UpdateItemRequest(item=change, update_mask=field_mask_pb2.FieldMask(paths=["quantity"]))
changed = stub.UpdateItem(request, timeout=10)
seen["changed"] = [changed.name, changed.quantity, changed.version]
for number in range(4):
    stub.CreateItem(items.CreateItemRequest(item=items.Item(name=f"nut {number}", quantity=number)), timeout=10)
listed, token = [], ""
while True:
    page = stub.ListItems(items.ListItemsRequest(page_size=2, page_token=token, order_by="name desc"), timeout=10)
    listed.append([item.name for item in page.items])
    token = page.next_page_token
    if not token:
        break
seen["pages"] = listed
seen["filtered"] = [item.quantity for item in stub.ListItems(items.ListItemsRequest(name="nut 2"), timeout=10).items]

def refused(call, request, **options):
    """The status of a call that fails."""
    try:
        call(request, timeout=10, **options)
    except grpc.RpcError as error:
        return error
    return None


stale = items.UpdateItemRequest(item=items.Item(id=created.id, version=created.version, quantity=1))
seen["stale"] = refused(stub.UpdateItem, stale).code().name
stub.DeleteItem(items.DeleteItemRequest(id=created.id, version=changed.version), timeout=10)
missing = items.GetItemRequest(id=created.id)
error = refused(stub.GetItem, missing)
trailers = dict(error.trailing_metadata())
seen["error"] = [error.code().name, b"item_not_found" in trailers["grpc-status-details-bin"]]
seen["malformed"] = refused(stub.GetItem, items.GetItemRequest(id="7")).code().name
oversized = items.CreateItemRequest(item=items.Item(name="x" * 5_000_000))
seen["oversized"] = refused(stub.CreateItem, oversized).code().name
seen["compressed"] = refused(stub.GetItem, missing, compression=grpc.Compression.Gzip).code().name
seen["unknown"] = refused(channel.unary_unary("/items.v1.ItemService/Nothing"), b"").code().name

echo = echoes.EchoStub(channel)
text = wrappers_pb2.StringValue
seen["client stream"] = echo.Gather((text(value=f"{n}") for n in range(3)), timeout=10).value
seen["server stream"] = [each.value for each in echo.Spread(text(value="ab"), timeout=10)]
seen["both"] = [each.value for each in echo.Talk((text(value=f"{n}") for n in range(3)), timeout=10)]
stream = echo.Talk((text(value=f"{n}") for n in range(1_000_000)), timeout=10)
next(stream)
stream.cancel()
seen["cancelled"] = stream.cancelled()

check = healths.HealthStub(channel).Check(health.HealthCheckRequest(service="items.v1.ItemService"), timeout=10)
seen["health"] = check.status
request = reflection.ServerReflectionRequest(list_services="")
answers = reflections.ServerReflectionStub(channel).ServerReflectionInfo(iter([request]), timeout=10)
seen["services"] = [each.name for each in next(answers).list_services_response.service]
print(json.dumps(seen))
