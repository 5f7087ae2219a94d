using StickyWs.Examples;
using StickyWs.Examples.SignalRChat;

var builder = WebApplication.CreateBuilder(args);
builder.AddStickyWebSocketBalancing();

// For the demonstration only: a Ctrl+C that does not wait 30 s for open connections.
builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(1));
var app = builder.Build();

// The backplane that carries messages from hub to hub: the Redis that the key "Redis" names, or one inside this process.
using var redis = RedisServer.At(app.Configuration["Redis"]);

// Three real Kestrel servers with SignalR, where the pool "chat" of appsettings.json expects its backends.
var backends = app.Configuration.GetSection("StickyWs:Pools:chat:Backends").GetChildren()
    .Select(backend => ChatBackend.Build(backend.Key, backend["Address"]!, redis.Address))
    .ToArray();
foreach (var backend in backends) await backend.StartAsync();

app.UseFileServer();                   // the page, from wwwroot
app.UseStickyWebSocketBalancing();     // /chat goes to the backends: a connection of SignalR to the one that negotiated it

await app.RunAsync();
foreach (var backend in backends) await backend.DisposeAsync();
