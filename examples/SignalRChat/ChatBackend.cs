namespace StickyWs.Examples.SignalRChat;

/// <summary>A backend of the demonstration: a Kestrel of its own, on a port of its own, with SignalR. Nothing in it is there for the balancer's sake.</summary>
internal static class ChatBackend
{
    // An empty builder: the settings and the command line of the process belong to the balancer.
    public static WebApplication Build(string name, string address, string redis)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls(address);
        builder.Services.AddRoutingCore();
        builder.Services.AddSignalR().AddStackExchangeRedis(redis);
        builder.Services.AddSingleton(new Place(name));
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.Zero);

        var app = builder.Build();
        app.MapGet("/healthz", () => "OK");
        app.MapHub<ChatHub>("/chat");
        return app;
    }
}
