namespace StickyWs.Examples.Quickstart;

/// <summary>What the story on the page asks for, and what its buttons do.</summary>
internal static class DemoEndpoints
{
    // Changes are PUTs: a page of another site cannot send one, since nobody answers the preflight. One whose name was made to lead here (DNS rebinding)
    // is of the same site to its browser; AllowedHosts in appsettings.json refuses it.
    public static void MapDemo(this WebApplication app, string prefix)
    {
        var demo = app.MapGroup(prefix);
        demo.MapGet("/", (DemoTraffic traffic, DemoBackends backends) => new
        {
            Traffic = traffic.Read(),
            Backends = backends.All.Select(backend => new { backend.Name, backend.IsRunning }),
        });
        demo.MapPut("/traffic", (bool on, DemoTraffic traffic) =>
        {
            traffic.IsOn = on;
        });
        demo.MapPut("/backends/{name}", async (string name, bool running, DemoBackends backends) =>
        {
            if (backends.All.FirstOrDefault(backend => backend.Name == name) is not { } backend) return Results.NotFound();
            await (running ? backend.StartAsync() : backend.StopAsync());
            return Results.NoContent();
        });
    }
}
