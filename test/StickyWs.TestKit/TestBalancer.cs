using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace StickyWs.TestKit;

/// <summary>The balancer as a user writes it, with one endpoint of the application's own: <c>/app</c>.</summary>
public sealed class TestBalancer
{
    /// <summary>What the application itself answers at <c>/app</c> and, as the last resort, where no pool fits.</summary>
    public const string AppAnswer = "the application";

    /// <summary>The variable of the environment that has the process start without io_uring.</summary>
    internal const string RefusesUring = "STICKYWS_TEST_REFUSES_URING";

    private static void Main(string[] args)
    {
        if (Environment.GetEnvironmentVariable(RefusesUring) is not null) SystemCallFilter.RefuseUring();
        var builder = WebApplication.CreateBuilder(args);
        builder.AddStickyWebSocketBalancing();
        var app = builder.Build();
        app.UseStickyWebSocketBalancing();
        app.MapGet("/app", () => AppAnswer);
        app.Run();
    }
}
