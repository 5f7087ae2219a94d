var builder = WebApplication.CreateBuilder(args);

// Binds the section "StickyWs" and puts the sniffer in front of every listener.
builder.AddStickyWebSocketBalancing();

var app = builder.Build();

// The HTTP half: requests that belong to a pool go to its backends, all others stay with the app.
app.UseStickyWebSocketBalancing();
app.Run();
