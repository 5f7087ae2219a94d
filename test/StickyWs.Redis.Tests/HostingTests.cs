using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StickyWs.Pinning;
using StickyWs.TestKit;
using StickyWs.TestKit.Redis;

namespace StickyWs.Redis.Tests;

/// <summary>How the store gets into an application.</summary>
public sealed class HostingTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Add_BeforeOrBehindTheBalancer_StartsWithoutRedisAndHasOneStore(bool isBefore)
    {
        using var server = PinServer.Stopped();
        var builder = Builder(("Shared:Configuration", server.Address), ("StickyWs:Pools:chat:Backends:a:Address", "http://127.0.0.1:1"));
        if (isBefore) builder.AddStickyWebSocketRedis(builder.Configuration.GetSection("Shared"));
        builder.AddStickyWebSocketBalancing();
        if (!isBefore) builder.AddStickyWebSocketRedis(builder.Configuration.GetSection("Shared"));
        await using var app = builder.Build();

        await app.StartAsync(Wait.Token());

        Assert.IsType<RedisPinStore>(Assert.Single(app.Services.GetServices<IPinStore>()));
        await app.StopAsync(Wait.Token());
    }

    [Fact]
    public async Task Add_SectionAndCodeAndTwice_AddUpToOneStore()
    {
        using var server = PinServer.Start();
        var builder = Builder(("StickyWs:Redis:Configuration", "nowhere:1"), ("StickyWs:Redis:Database", "2"));
        builder.AddStickyWebSocketRedis();
        builder.AddStickyWebSocketRedis();
        builder.AddStickyWebSocketRedis(options => options.Configuration = server.Address);
        await using var app = builder.Build();

        var store = Assert.Single(app.Services.GetServices<IPinStore>());
        await store.SaveAsync(Guid.NewGuid().ToString("N"), "blue", TimeSpan.FromMinutes(1), Wait.Token());

        var options = app.Services.GetRequiredService<IOptions<RedisPinOptions>>().Value;
        Assert.Equal((server.Address, 2), (options.Configuration, options.Database));
    }

    [Fact]
    public async Task Add_InvalidOptions_StopsTheStartWithEveryError()
    {
        var builder = Builder(("StickyWs:Redis:Database", "two"), ("StickyWs:Redis:Colour", "blue"));
        builder.AddStickyWebSocketRedis();
        await using var app = builder.Build();

        var thrown = await Assert.ThrowsAsync<OptionsValidationException>(() => app.StartAsync(Wait.Token()));

        Assert.Equal(3, thrown.Failures.Count());
        Assert.All(thrown.Failures, failure => Assert.StartsWith("StickyWs:Redis:", failure, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Add_SectionOfAnotherName_NamesItInErrors()
    {
        var builder = Builder(("Shared:Database", "-1"));
        builder.AddStickyWebSocketRedis(builder.Configuration.GetSection("Shared"));
        await using var app = builder.Build();

        var thrown = await Assert.ThrowsAsync<OptionsValidationException>(() => app.StartAsync(Wait.Token()));

        Assert.Equal(["Shared:Configuration", "Shared:Database"], thrown.Failures.Select(failure => failure.Split(' ')[0]));
    }

    [Fact]
    public void Add_StoreOfTheApplicationsOwn_Stays()
    {
        var services = new ServiceCollection();
        services.AddSingleton<IPinStore>(new OwnStore());
        services.AddStickyWebSocketRedis(options => options.Configuration = "redis:6379");

        using var provider = services.BuildServiceProvider();

        Assert.IsType<OwnStore>(Assert.Single(provider.GetServices<IPinStore>()));
    }

    [Fact]
    public void Add_ToBareServices_CanBeDisposedOfEitherWay()
    {
        var services = new ServiceCollection();
        services.AddStickyWebSocketRedis(options => options.Configuration = "redis:6379");

        using var provider = services.BuildServiceProvider();

        Assert.IsType<RedisPinStore>(provider.GetRequiredService<IPinStore>());
    }

    private static WebApplicationBuilder Builder(params IEnumerable<(string Key, string Value)> keys)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.AddInMemoryCollection(keys.Select(pair => new KeyValuePair<string, string?>(pair.Key, pair.Value)));
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        return builder;
    }

    private sealed class OwnStore : IPinStore
    {
        public event Action<string, string>? Saved
        {
            add => _ = value;
            remove => _ = value;
        }

        public ValueTask<string?> FindAsync(string key, CancellationToken cancellationToken) => new((string?)null);

        public ValueTask SaveAsync(string key, string backend, TimeSpan lifetime, CancellationToken cancellationToken) => default;
    }
}
