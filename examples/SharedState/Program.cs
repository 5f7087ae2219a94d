using StickyWs.Examples;
using StickyWs.Examples.SharedState;

var builder = WebApplication.CreateBuilder(args);
builder.AddStickyWebSocketBalancing();
builder.Services.AddDataProtection();  // its keys outlive the process: cookies that are out stay good

// For the demonstration only: a Ctrl+C that does not wait 30 s for open WebSockets.
builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(1));
var app = builder.Build();

// The cache that the backends share: the Redis that the key "Redis" names, or one inside this process.
using var redis = RedisServer.At(app.Configuration["Redis"]);

// Three real Kestrel servers, where the pool "notes" of appsettings.json expects its backends.
var backends = app.Configuration.GetSection("StickyWs:Pools:notes:Backends").GetChildren()
    .Select(backend => new NotesBackend(backend.Key, backend["Address"]!, redis.Address))
    .ToArray();
foreach (var backend in backends) await backend.StartAsync();

app.UseFileServer();                   // the page, from wwwroot
app.UseStickyWebSocketBalancing();     // /notes goes to the backends: by its cookie, each client to the one that knows it

// What the page asks and what its buttons do: endpoints of the app stay with the app.
var control = app.MapGroup("/backends");
control.MapGet("/", () => backends.Select(backend => new { backend.Name, backend.Address, backend.IsRunning, backend.Clients }));
foreach (var backend in backends)
{
    control.MapPost($"/{backend.Name}/kill", backend.KillAsync);
    control.MapPost($"/{backend.Name}/revive", backend.StartAsync);
}

await app.RunAsync();
foreach (var backend in backends) await backend.DisposeAsync();
