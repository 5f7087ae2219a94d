using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Options;
using StickyWs.Binding;
using StickyWs.Configuration;
using StickyWs.Observability;

namespace StickyWs.Tests.Binding;

public sealed class LastGoodOptionsMonitorTests : IDisposable
{
    private readonly IConfigurationRoot _configuration = new ConfigurationBuilder().AddInMemoryCollection().Build();
    private readonly FakeLogger<LastGoodOptionsMonitor> _logger = new();
    private readonly List<IDisposable> _owned = [];
    private Action<StickyWsOptions> _configure = _ => { };

    public LastGoodOptionsMonitorTests() => Write("MaxTunnels", "1");

    public void Dispose() => _owned.ForEach(owned => owned.Dispose());

    [Fact]
    public void CurrentValue_ValidOptions_AreMadeOnce()
    {
        var monitor = Monitor();

        Assert.Equal(1, monitor.CurrentValue.MaxTunnels);
        Assert.Same(monitor.CurrentValue, monitor.CurrentValue);
        Assert.Same(monitor.CurrentValue, monitor.Get("any name"));
    }

    [Fact]
    public void CurrentValue_InvalidFirstOptions_ThrowsWithEveryError()
    {
        Write("MaxTunnels", "0");
        Write("MaxHeadBytes", "few");

        var thrown = Assert.ThrowsAny<OptionsValidationException>(() => Monitor().CurrentValue);

        Assert.Equal(2, thrown.Failures.Count());
    }

    [Fact]
    public void Reload_InvalidOptions_AreRefusedWholeWithOneLogLineForEachError()
    {
        var monitor = Monitor();
        var before = monitor.CurrentValue;
        monitor.OnChange((_, _) => Assert.Fail("A refused change is no change."));

        Write("HeadDeadline", "00:00:03");
        Write("MaxTunnels", "0");
        Write("Colour", "blue");
        _configuration.Reload();

        Assert.Same(before, monitor.CurrentValue);
        Assert.Equal(TimeSpan.FromSeconds(10), monitor.CurrentValue.HeadDeadline);
        var lines = _logger.Collector.GetSnapshot();
        Assert.Equal(2, lines.Count);
        Assert.All(lines, line => Assert.Equal((LogLevel.Error, EventIds.ConfigurationRefused), (line.Level, line.Id.Id)));
        Assert.Single(lines, line => line.Message.Contains("StickyWs:MaxTunnels is '0': ", StringComparison.Ordinal));
        Assert.Single(lines, line => line.Message.Contains("StickyWs:Colour is not an option: ", StringComparison.Ordinal));
    }

    [Fact]
    public void Reload_ValidOptionsAfterInvalidOnes_AreTaken()
    {
        var monitor = Monitor();
        _ = monitor.CurrentValue;
        List<int?> heard = [];
        monitor.OnChange((options, _) => heard.Add(options.MaxTunnels));

        Write("MaxTunnels", "0");
        _configuration.Reload();
        Write("MaxTunnels", "2");
        _configuration.Reload();
        Write("MaxTunnels", "3");
        _configuration.Reload();

        Assert.Equal(3, monitor.CurrentValue.MaxTunnels);
        Assert.Equal([2, 3], heard);
        Assert.Single(_logger.Collector.GetSnapshot());
    }

    // A certificate that cannot be read, a null in the user's own code: none of it may reach the file watcher's thread.
    [Fact]
    public void Reload_CodeThatThrows_IsRefusedWithOneLogLine()
    {
        var monitor = Monitor();
        var before = monitor.CurrentValue;
        var boom = new InvalidOperationException("boom");

        _configure = _ => throw boom;
        _configuration.Reload();

        Assert.Same(before, monitor.CurrentValue);
        var line = Assert.Single(_logger.Collector.GetSnapshot());
        Assert.Equal((LogLevel.Error, EventIds.ConfigurationRefused), (line.Level, line.Id.Id));
        Assert.Same(boom, line.Exception);
    }

    [Fact]
    public void OnChange_ManyListeners_AreEachCalledOnceWithTheCurrentOptions()
    {
        var monitor = Monitor();
        List<string> heard = [];
        monitor.OnChange((options, name) => heard.Add($"first {options.MaxTunnels}{name}{ReferenceEquals(options, monitor.CurrentValue)}"));
        monitor.OnChange((options, name) => heard.Add($"second {options.MaxTunnels}{name}{ReferenceEquals(options, monitor.CurrentValue)}"));

        Write("MaxTunnels", "2");
        _configuration.Reload();

        Assert.Equal(["first 2True", "second 2True"], heard);
    }

    [Fact]
    public void OnChange_Disposed_IsCalledNoMore()
    {
        var monitor = Monitor();
        List<string> heard = [];
        var registration = monitor.OnChange((_, _) => heard.Add("gone"));
        monitor.OnChange((_, _) => heard.Add("stays"));

        registration.Dispose();
        _configuration.Reload();

        Assert.Equal(["stays"], heard);
    }

    [Fact]
    public void Dispose_ThenReload_ChangesNothing()
    {
        var monitor = Monitor();
        _ = monitor.CurrentValue;

        monitor.Dispose();
        Write("MaxTunnels", "2");
        _configuration.Reload();

        Assert.Equal(1, monitor.CurrentValue.MaxTunnels);
    }

    private void Write(string key, string value) => _configuration[$"StickyWs:{key}"] = value;

    private LastGoodOptionsMonitor Monitor()
    {
        var section = _configuration.GetSection(StickyWsOptions.SectionName);
        var factory = new OptionsFactory<StickyWsOptions>(
            [new StickyWsOptionsReader(section), new ConfigureOptions<StickyWsOptions>(options => _configure(options))],
            [],
            [new StickyWsOptionsValidator(StickyWsOptions.SectionName, new KnownPolicies(["RoundRobin"]))]);
        var monitor = new LastGoodOptionsMonitor(factory, [new ConfigurationChangeTokenSource<StickyWsOptions>(section)], _logger);
        _owned.Add(monitor);
        return monitor;
    }
}
