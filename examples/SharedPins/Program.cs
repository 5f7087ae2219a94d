var builder = WebApplication.CreateBuilder(args);
builder.AddStickyWebSocketBalancing();

// What one instance learns of a client, all of them know: section "StickyWs:Redis".
builder.AddStickyWebSocketRedis();

var app = builder.Build();
app.UseStickyWebSocketBalancing();
app.Run();
