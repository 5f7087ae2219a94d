using StickyWs.Examples.EchoBackend;

var builder = WebApplication.CreateBuilder(args);
builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
var app = builder.Build();

app.UseWebSockets();
app.MapGet("/healthz", () => "OK");
app.Map("/{**path}", async context =>
{
    var name = app.Configuration["name"] ?? $"port {context.Connection.LocalPort}";
    if (context.WebSockets.IsWebSocketRequest)
        await Echo.RunAsync(context, name, app.Lifetime.ApplicationStopping);
    else
        await context.Response.WriteAsync($"This is {name}.\n");
});
app.Run();
