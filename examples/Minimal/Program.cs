var builder = WebApplication.CreateBuilder(args);
builder.AddStickyWebSocketBalancing();
var app = builder.Build();
app.UseStickyWebSocketBalancing();
app.Run();
