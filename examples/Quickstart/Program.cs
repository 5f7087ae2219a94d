using StickyWs.Examples.Quickstart;

var builder = WebApplication.CreateBuilder(args);
builder.AddStickyWebSocketBalancing();
var app = builder.Build();

// Three real Kestrel servers, where the pool "demo" of appsettings.json expects its backends.
var backends = app.Configuration.GetSection("StickyWs:Pools:demo:Backends").GetChildren()
    .ToDictionary(backend => backend.Key, backend => new DemoBackend(backend.Key, backend["Address"]!));
foreach (var backend in backends.Values) await backend.StartAsync();

app.UseFileServer();                   // the page, from wwwroot
app.UseStickyWebSocketBalancing();     // /api and /ws go to the backends

// What the page shows and what its buttons do. Endpoints of the app stay with the app.
var control = app.MapGroup("/quickstart/backends");
control.MapGet("/", () => backends.Values.Select(backend => new { backend.Name, backend.Address, backend.IsRunning, backend.Requests, backend.WebSockets }));
control.MapPost("/{name}/stop", (string name) => backends[name].StopAsync());
control.MapPost("/{name}/revive", (string name) => backends[name].StartAsync());

await app.RunAsync();
await Task.WhenAll(backends.Values.Select(backend => backend.StopAsync()));
