using StickyWs.Examples.Quickstart;

var builder = WebApplication.CreateBuilder(args);

// For the demonstration only: backends, clients, and a Ctrl+C that does not wait 30 s for open WebSockets.
builder.Services.AddSingleton<DemoBackends>().AddHostedService(services => services.GetRequiredService<DemoBackends>());
builder.Services.AddSingleton<DemoTraffic>().AddHostedService(services => services.GetRequiredService<DemoTraffic>());
builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(1));

builder.AddStickyWebSocketBalancing();     // the section StickyWs of appsettings.json
var app = builder.Build();

app.UseStaticFiles();                      // story.js and story.css, from wwwroot
app.UseStickyWebSocketBalancing();         // /api and /ws go to the backends; everything else stays with the app

app.MapStickyWsDashboard("/stickyws", dashboard =>
{
    dashboard.Banner = "/story.js";
    dashboard.AnonymousSteering = true;    // a demonstration on your own machine; your app: RequireAuthorization(...)
});
app.MapGet("/", () => Results.LocalRedirect("/stickyws/"));
app.MapDemo("/quickstart");                // what the story counts, and what its buttons do

app.Run();
