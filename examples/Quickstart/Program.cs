using StickyWs.Draining;
using StickyWs.Examples.Quickstart;
using StickyWs.State;

var builder = WebApplication.CreateBuilder(args);
builder.AddStickyWebSocketBalancing();

// For the demonstration only: settings that the page's Drain may write, and a Ctrl+C that does not wait 30 s for open WebSockets.
builder.Configuration.AddInMemoryCollection();
builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(1));
var app = builder.Build();

// Three real Kestrel servers, where the pool "demo" of appsettings.json expects its backends.
var backends = app.Configuration.GetSection("StickyWs:Pools:demo:Backends").GetChildren()
    .Select(backend => new DemoBackend(backend.Key, backend["Address"]!))
    .ToArray();
foreach (var backend in backends) await backend.StartAsync();

app.UseFileServer();                   // the page, from wwwroot
app.UseStickyWebSocketBalancing();     // /api and /ws go to the backends
app.MapStickyWsDashboard("/stickyws"); // what the balancer sees and does, for this machine alone

// What the page asks and what its buttons do: endpoints of the app stay with the app.
var control = app.MapGroup("/quickstart/backends");
control.MapGet("/", (IStickyWsState state) => backends.Zip(state.Read().Pools.Single().Backends, (backend, seen) => new
{
    backend.Name,
    backend.Address,
    backend.IsRunning,
    backend.Requests,
    State = seen.State.ToString(),
    Tunnels = seen.ActiveTunnels,
}));
foreach (var backend in backends)
{
    control.MapPost($"/{backend.Name}/stop", backend.StopAsync);
    control.MapPost($"/{backend.Name}/revive", backend.StartAsync);
    control.MapPost($"/{backend.Name}/drain", () => SetEnabled(backend, false));
    control.MapPost($"/{backend.Name}/undrain", () => SetEnabled(backend, true));
    control.MapPost($"/{backend.Name}/replace", (IBackendControl drains) => ReplaceAsync(backend, drains));
}

await app.RunAsync();
foreach (var backend in backends) await backend.DisposeAsync();

// A deploy: its WebSockets are told to go, one after the other, and come back to the others. When it is empty, a new process takes its place.
async Task<DrainStatus> ReplaceAsync(DemoBackend backend, IBackendControl drains)
{
    var target = BackendTarget.Of("demo", backend.Name);
    var drain = (await drains.HandOffAsync(target, new HandOffSettings { Over = TimeSpan.FromSeconds(5) })).Single();
    await backend.StopAsync();
    await backend.StartAsync();
    drains.Undrain(target);
    return drain;
}

// The same as an edit of appsettings.json: the configuration is reloaded live.
void SetEnabled(DemoBackend backend, bool enabled)
{
    app.Configuration[$"StickyWs:Pools:demo:Backends:{backend.Name}:Enabled"] = enabled.ToString();
    ((IConfigurationRoot)app.Configuration).Reload();
}
