# The same network and training in PyTorch: `pytorch.py SEED THREADS` prints its accuracy and seconds as JSON.
import gzip, json, sys, time
import torch

seed, threads = int(sys.argv[1]), int(sys.argv[2])
torch.set_num_threads(threads)
torch.manual_seed(seed)


def read(name, header):
    with gzip.open(f"/usr/share/datasets/fashion-mnist/{name}.gz") as file:
        return torch.frombuffer(bytearray(file.read()[header:]), dtype=torch.uint8)


def images(part):
    x = read(f"{part}-images-idx3-ubyte", 16).reshape(-1, 784).float() / 255
    return x, read(f"{part}-labels-idx1-ubyte", 8).long()


x, y = images("train")
xt, yt = images("t10k")
sizes = [784, 256, 128, 10]
layers = []
for i in range(3):
    linear = torch.nn.Linear(sizes[i], sizes[i + 1])
    if i < 2:
        torch.nn.init.kaiming_normal_(linear.weight, nonlinearity="relu")
    else:
        torch.nn.init.xavier_uniform_(linear.weight)
    torch.nn.init.zeros_(linear.bias)
    layers += [linear, torch.nn.ReLU()]
model = torch.nn.Sequential(*layers[:-1])
loss = torch.nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

start = time.perf_counter()
for epoch in range(10):
    order = torch.randperm(len(x))
    for at in range(0, len(x), 128):
        rows = order[at : at + 128]
        optimizer.zero_grad(set_to_none=True)
        loss(model(x[rows]), y[rows]).backward()
        optimizer.step()
seconds = time.perf_counter() - start
with torch.no_grad():
    accuracy = (model(xt).argmax(1) == yt).float().mean().item()
print(json.dumps({"accuracy": accuracy, "seconds": seconds}))
