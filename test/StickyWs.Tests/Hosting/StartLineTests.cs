using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StickyWs.TestKit;

namespace StickyWs.Tests.Hosting;

/// <summary>What the log of a whole application says of a start in which something was forgotten.</summary>
public sealed class StartLineTests : IDisposable
{
    private const string Address = "Pools:chat:Backends:a:Address";

    private readonly LogRecorder _log = new();
    private readonly LiveSettings _settings = new();

    public void Dispose() => _log.Dispose();

    [Fact]
    public async Task Start_NoPools_IsOneWarning()
    {
        await using var app = await StartAsync();

        AssertWarning("NoPools", "There are no pools, and nothing is balanced: set StickyWs:Pools:<pool>:Backends:<backend>:Address");
    }

    [Fact]
    public async Task Start_SectionMisspelt_IsOneWarningThatSaysSo()
    {
        _settings.Change(data => data["Sticky-Ws:" + Address] = "http://127.0.0.1:1");
        await using var app = await StartAsync();

        AssertWarning("NoPools", "There are no pools, and nothing is balanced: nothing reads Sticky-Ws: did you mean StickyWs?");
    }

    [Fact]
    public async Task Start_SectionMisspeltBesidePoolsFromCode_IsOneWarning()
    {
        _settings.Change(data => data["StickyWss:MaxTunnels"] = "5");
        await using var app = await StartAsync(builder => builder.AddStickyWebSocketBalancing(
            options => options.Pools["chat"] = new() { Backends = { ["a"] = new() { Address = "http://127.0.0.1:1" } } }));

        AssertWarning("SectionMisspelt", "Part of the configuration has no effect: nothing reads StickyWss: did you mean StickyWs?");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Start_UseForgotten_IsOneWarning(bool isForgotten)
    {
        _settings.With(Address, "http://127.0.0.1:1");
        await using var app = await StartAsync(use: !isForgotten);

        if (isForgotten) AssertWarning("PipelineForgotten", "app.UseStickyWebSocketBalancing()");
        else Assert.Empty(Warnings());
    }

    [Fact]
    public async Task Start_UseInABranch_IsNotForgotten()
    {
        _settings.With(Address, "http://127.0.0.1:1");
        await using var app = await StartAsync(use: false, pipeline: app => app.Map("/chat", branch => branch.UseStickyWebSocketBalancing()));

        Assert.Empty(Warnings());
    }

    // Their pipeline is built when the server starts.
    [Fact]
    public async Task Start_UseOfAGenericHost_IsNotForgotten()
    {
        _settings.With(Address, "http://127.0.0.1:1");
        using var host = new HostBuilder()
            .ConfigureAppConfiguration(configuration => configuration.Add(_settings))
            .ConfigureLogging(logging => logging.AddProvider(_log))
            .ConfigureWebHost(web => web.UseTestServer().Configure(app => app.UseStickyWebSocketBalancing())
                .ConfigureServices((context, services) => services.AddStickyWebSocketBalancing(context.Configuration.GetSection("StickyWs"))))
            .Build();
        await host.StartAsync(Wait.Token());

        Assert.Empty(Warnings());
        await host.StopAsync(Wait.Token());
    }

    [Fact]
    public async Task Reload_BringsTheFirstPools_UseForgottenIsSaidThen()
    {
        await using var app = await StartAsync(use: false);
        AssertWarning("NoPools", "");

        _settings.Change(data => data["StickyWs:" + Address] = "http://127.0.0.1:1");
        _settings.Change(data => data["StickyWs:MaxTunnels"] = "5");

        Assert.Equal(["NoPools", "PipelineForgotten"], Warnings().Select(line => line.Event));
    }

    [Fact]
    public async Task Start_SeveralErrors_AreOneLineEachAndNotInTheException()
    {
        _settings.With(Address, "ftp://x").With("MaxTunnels", "0").With("Pool:chat", "x");

        var thrown = await Assert.ThrowsAnyAsync<OptionsValidationException>(() => StartAsync());

        Assert.Equal(3, thrown.Failures.Count());
        foreach (var failure in thrown.Failures)
        {
            Assert.DoesNotContain(failure, thrown.ToString(), StringComparison.Ordinal);
            var line = Assert.Single(_log.Lines, line => $"{line.Text} {line.Exception}".Contains(failure, StringComparison.Ordinal));
            Assert.Equal((LogLevel.Error, "ConfigurationInvalid", "The configuration is not valid: " + failure), (line.Level, line.Event, line.Text));
        }
    }

    // Else nobody would learn of them.
    [Fact]
    public async Task Start_SeveralErrorsWithoutALog_AreInTheException()
    {
        _settings.With(Address, "ftp://x").With("MaxTunnels", "0");

        var thrown = await Assert.ThrowsAsync<OptionsValidationException>(() => StartAsync(builder => builder.Logging.ClearProviders()));

        Assert.All(thrown.Failures, failure => Assert.Contains(failure, thrown.Message, StringComparison.Ordinal));
    }

    private IEnumerable<LogLine> Warnings()
        => _log.Lines.Where(line => line.Level >= LogLevel.Warning && line.Category.StartsWith("StickyWs", StringComparison.Ordinal));

    private void AssertWarning(string name, string text)
    {
        var line = Assert.Single(Warnings());
        Assert.Equal((LogLevel.Warning, name), (line.Level, line.Event));
        Assert.Contains(text, line.Text, StringComparison.Ordinal);
    }

    private async Task<WebApplication> StartAsync(Action<WebApplicationBuilder>? build = null, bool use = true, Action<IApplicationBuilder>? pipeline = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        ((IConfigurationBuilder)builder.Configuration).Add(_settings);
        builder.Logging.AddProvider(_log);
        builder.WebHost.UseTestServer();
        builder.AddStickyWebSocketBalancing();
        build?.Invoke(builder);
        var app = builder.Build();
        if (use) app.UseStickyWebSocketBalancing();
        pipeline?.Invoke(app);
        await app.StartAsync(Wait.Token());
        return app;
    }
}
