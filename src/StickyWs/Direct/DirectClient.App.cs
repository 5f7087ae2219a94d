using StickyWs.Http1;

namespace StickyWs.Direct;

// Requests for the app: they go over a connection to it that stands for this one, and the client stays in the lane.
internal sealed partial class DirectClient
{
    private AppExchange? _app;

    /// <summary>The app's answer was passed on, and the next request may come.</summary>
    public void AppAnswered()
    {
        if (_phase != Phase.InApp) return;
        (_phase, _since) = (Phase.Idle, _desk.Reactor.Now);
        UseCarry();
    }

    /// <summary>The connection to the app is over. With a request under way the client's is, too; else there will be another when one is needed.</summary>
    public void AppEnded(AppExchange app, bool isBroken)
    {
        if (_app != app) return;
        _app = null;
        if (_phase != Phase.InApp) return;
        if (isBroken) Break();
        else BeginClosing();
    }

    // Only a request whose end is beyond doubt, and that leaves the connection open.
    private bool TryBeginInApp(in DirectRequest request, ReadOnlySpan<byte> head, DirectLimits limits)
    {
        if (request.IsUpgrade || !request.KeepAlive) return false;
        if (_app is { } kept && kept.IsStale(limits.KeepAlive)) EndApp();
        if (_app is null)
        {
            _app = AppExchange.TryOpen(_desk, this, _connection, _features);
            if (_app is null) return false;
            _desk.Tighten(limits.KeepAlive / 2);
        }

        _phase = Phase.InApp;
        _app.Begin(request, head, limits.Head);
        return true;
    }

    private void AppHasRoom() => _app!.ClientHasRoom();

    // As long as Kestrel is busy with it, its limits hold.
    private void LookAtApp(DirectLimits limits)
    {
        if (_app is not { } app) return;
        if (app.IsStale(limits.KeepAlive)) EndApp();
        else if (_phase == Phase.InApp && _isFull && app.IsDone && _desk.Reactor.Now >= _takesUntil) Break();
    }

    private void EndApp()
    {
        var app = _app;
        _app = null;
        app?.End();
    }
}
