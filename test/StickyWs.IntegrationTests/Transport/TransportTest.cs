using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Transport;

/// <summary>Tests of what Kestrel shows an application of its connections, by an endpoint of the application's own in front of all others.</summary>
public abstract class TransportTest : BalancerTest
{
    protected const string Ask = "GET /mine HTTP/1.1\r\nHost: example.test\r\n\r\n";

    /// <summary>Starts with the listeners that are given, on the transport of the lane.</summary>
    protected Balancer Start(Lane lane, Action<KestrelServerOptions> kestrel, RequestDelegate? answer = null, string backend = "http://127.0.0.1:1")
        => Owned(Balancer.Start(Pool(backend).Serving(lane), kestrel, builder => builder.ConfigureServices(services =>
        {
            if (answer is not null) services.AddSingleton<IStartupFilter>(new First(answer));
        })));

    private sealed class First(RequestDelegate answer) : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use(following => context => context.Request.Path == "/mine" ? answer(context) : following(context));
            next(app);
        };
    }
}
