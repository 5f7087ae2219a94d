using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Yarp.ReverseProxy.Forwarder;

namespace StickyWs.Proxying;

/// <summary>
/// YARP's forwarder, for internal use. It logs two lines per request at Information and every failure at Warning: these become Debug here, whatever
/// logging framework and filters the application has. The logs of YARP in the application itself are not affected.
/// </summary>
internal sealed class QuietForwarder
{
    private readonly IHttpForwarder _forwarder;

    public QuietForwarder(ILoggerFactory loggers, TimeProvider time)
    {
        var services = new ServiceCollection();
        services.AddSingleton(time);
        services.AddSingleton<ILoggerFactory>(new Factory(loggers));
        services.AddSingleton(typeof(ILogger<>), typeof(Logger<>));
        services.AddHttpForwarder();
#pragma warning disable CA2000 // It has nothing to dispose, and the forwarder lives as long as the application.
        _forwarder = services.BuildServiceProvider().GetRequiredService<IHttpForwarder>();
#pragma warning restore CA2000
    }

    public ValueTask<ForwarderError> SendAsync(
        HttpContext context,
        string prefix,
        HttpMessageInvoker client,
        ForwarderRequestConfig config,
        HttpTransformer transformer,
        CancellationToken cancellationToken)
        => _forwarder.SendAsync(context, prefix, client, config, transformer, cancellationToken);

    private static LogLevel Lowered(LogLevel level) => level is > LogLevel.Debug and < LogLevel.None ? LogLevel.Debug : level;

    private sealed class Factory(ILoggerFactory inner) : ILoggerFactory
    {
        public ILogger CreateLogger(string categoryName) => new Quiet(inner.CreateLogger(categoryName));

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public void Dispose()
        {
            // The inner logger belongs to the application.
        }
    }

    private sealed class Quiet(ILogger inner) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
            => inner.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => inner.IsEnabled(Lowered(logLevel));

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var lowered = Lowered(logLevel);
            if (inner.IsEnabled(lowered)) inner.Log(lowered, eventId, state, exception, formatter);
        }
    }
}
