using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using StickyWs.Draining;
using StickyWs.Examples.Observed;

var builder = WebApplication.CreateBuilder(args);
builder.AddStickyWebSocketBalancing();

// The meter and the activity source of the balancer are called StickyWs. Kestrel, the HTTP pipeline and the runtime have theirs.
builder.Services.AddOpenTelemetry()
    .ConfigureResource(resource => resource.AddService("observed"))
    .WithMetrics(metrics => metrics
        .AddMeter("StickyWs", "Microsoft.AspNetCore.Server.Kestrel", "Microsoft.AspNetCore.Hosting", "System.Runtime")
        .AddPrometheusExporter())
    .WithTracing(tracing =>
    {
        tracing.AddSource("StickyWs").AddAspNetCoreInstrumentation().AddHttpClientInstrumentation();
        if (builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] is not null) tracing.AddOtlpExporter();
    });

// Three doors: for clients with and without TLS, and one for Prometheus and the operator, which clients never see.
var ports = builder.Configuration.GetSection("Ports").Get<Ports>()!;
builder.WebHost.ConfigureKestrel(kestrel =>
{
    kestrel.ListenLocalhost(ports.Http);
    kestrel.ListenLocalhost(ports.Https, listen => listen.UseHttps(OwnCertificate.Instance));
    kestrel.ListenLocalhost(ports.Metrics);
});

// For the demonstration only: clients, settings that the operator may change, and a Ctrl+C that does not wait for open WebSockets.
builder.Services.AddHostedService<Visitors>();
builder.Configuration.AddInMemoryCollection();
builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(1));
var app = builder.Build();

const string Backends = "StickyWs:Pools:chat:Backends";
var backends = app.Configuration.GetSection(Backends).GetChildren().Select(backend => new DemoBackend(backend.Key, backend["Address"]!)).ToArray();
foreach (var backend in backends) await backend.StartAsync();

// The operator's door has a pipeline of its own, by the port that a request came in by. RequireHost would believe the Host header, which clients write.
app.MapWhen(context => context.Connection.LocalPort == ports.Metrics, door => door.UseRouting().UseEndpoints(inside =>
{
    inside.MapPrometheusScrapingEndpoint();                                // GET /metrics
    foreach (var backend in backends)
    {
        var target = BackendTarget.Of("chat", backend.Name);
        var group = inside.MapGroup($"/backends/{backend.Name}");
        group.MapPost("/crash", backend.StopAsync);
        group.MapPost("/start", backend.StartAsync);
        group.MapPost("/drain", (IBackendControl drains, CancellationToken left) => drains.HandOffAsync(target, cancellationToken: left));
        group.MapPost("/undrain", (IBackendControl drains) => drains.Undrain(target));
        group.MapPost("/weight/{weight}", (string weight) =>
        {
            app.Configuration[$"{Backends}:{backend.Name}:Weight"] = weight;   // As an edit of appsettings.json: one that is not valid is refused.
            ((IConfigurationRoot)app.Configuration).Reload();
        });
    }
}));

app.UseStickyWebSocketBalancing();     // /api and /ws go to the backends

await app.RunAsync();
foreach (var backend in backends) await backend.DisposeAsync();
