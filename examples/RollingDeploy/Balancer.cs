namespace StickyWs.Examples.RollingDeploy;

/// <summary>The balancer, with what a deploy script calls.</summary>
internal static class Balancer
{
    public static WebApplication Build(string[] args, BackendList backends)
    {
        var builder = WebApplication.CreateBuilder(args);
        foreach (var pool in builder.Configuration.GetSection("Backends").GetChildren())
        {
            foreach (var backend in pool.GetChildren()) backends.Add(pool.Key, backend.Key, backend.Value!);
        }

        ((IConfigurationBuilder)builder.Configuration).Add(backends);
        builder.AddStickyWebSocketBalancing();
        builder.Services.AddHealthChecks().AddStickyWebSocketBalancing();
        builder.Services.AddSingleton(backends);
        builder.Services.AddSingleton<Rollout>();

        var app = builder.Build();
        app.MapHealthChecks("/healthz");    // unhealthy from the moment on in which this process is told to stop

        // In production these need an authorization of yours, or a port that only the deploy reaches.
        var control = app.MapGroup("/backends");
        control.MapGet("/", (Rollout rollout) => rollout.Read().Select(backend => new { backend.Pool, backend.Name, backend.State, backend.ActiveTunnels }));
        control.MapPut("/{pool}/{name}", (string pool, string name, string address, Rollout rollout, CancellationToken gone)
            => rollout.AddAsync(pool, name, address, gone));
        control.MapDelete("/{pool}/{name}", (string pool, string name, Rollout rollout, CancellationToken gone) => rollout.RemoveAsync(pool, name, gone));

        app.UseStickyWebSocketBalancing();
        return app;
    }
}
